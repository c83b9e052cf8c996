"""社会保障卡 lost: a temporary loss that lifts itself, a formal one that ends with another card."""
