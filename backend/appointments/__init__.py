"""预约挂号: hospitals' clinics and seats, booking, paying and cancelling, waiting lists, no-shows."""
