"""HTTP intake and reads of Swaprail."""
