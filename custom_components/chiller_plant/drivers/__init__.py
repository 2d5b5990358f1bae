"""One protocol, one file; all of them behind `driver.Driver`."""
