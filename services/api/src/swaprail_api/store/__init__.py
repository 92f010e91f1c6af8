"""Statements. Writers gather what concurrent requests want into one statement, so one commit."""
