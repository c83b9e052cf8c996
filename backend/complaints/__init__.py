"""投诉与建议: complaints and suggestions, worked as every application is."""
