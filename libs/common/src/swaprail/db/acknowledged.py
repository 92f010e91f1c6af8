"""Answers that write nothing and still rest on a commit that the synchronous standby has, where there is one.

A transaction that writes anything at all, and be it an empty message, waits for the standby, and so for every commit
before it: whatever its snapshot saw is then on the standby too. Without a standby nothing is written.
"""

# A row of no meaning, to be joined: unless it is looked at, PostgreSQL does not run what makes it.
ACKNOWLEDGED = """acknowledged as materialized (
    select case when current_setting('synchronous_standby_names') <> ''
        then pg_logical_emit_message(true, 'swaprail', ''::text) end
)"""
ACKNOWLEDGE = f"with {ACKNOWLEDGED} select from acknowledged"
