// Never answers and writes a reason to standard error.
process.stderr.write('waiting for something\n');
process.stdin.resume();
