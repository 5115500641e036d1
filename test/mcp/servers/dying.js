// Exits immediately.
process.stderr.write('\u001b[1mfirst\u001b[0m\nsecond\u0007\nCannot find module "x"\n');
process.exitCode = 7;
