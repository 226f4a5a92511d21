"""Legacy import paths: shims onto the packages that own what was here."""
