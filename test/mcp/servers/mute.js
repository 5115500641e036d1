// Never answers, and says why where nobody has to look.
process.stderr.write('waiting for something\n');
process.stdin.resume();
