"""What a person judging features needs, without a picture of it: rows, filters, orders, marks, pace."""
