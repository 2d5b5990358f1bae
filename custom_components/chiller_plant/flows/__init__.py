"""The forms of a plant, one story a file; `config_flow` puts them together."""
