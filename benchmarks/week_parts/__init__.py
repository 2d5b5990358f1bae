"""A site's own automations, profiles and calendar in virtual time, and who judges them."""
