"""PostgreSQL and Valkey out of wheels, as processes that live and die with this one."""
