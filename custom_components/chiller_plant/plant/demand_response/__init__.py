"""What an event of a utility is measured against, and what came of it."""
