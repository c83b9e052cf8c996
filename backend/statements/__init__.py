"""对账: what an institution has booked of a day against what stands here."""
