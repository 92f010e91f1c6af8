"""The whole engine on one machine: embedded servers, four services, one port."""
