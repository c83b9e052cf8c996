"""What touches the machine: database, keys, tokens, audit, outbox. Knows no word of the business."""
