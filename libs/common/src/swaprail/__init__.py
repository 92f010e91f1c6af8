"""What the four Swaprail services share."""
