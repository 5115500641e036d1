// Relays bytes between its standard streams and a socket, where the test acts as the server.
import { connect } from 'node:net';

const socket = connect(Number(process.argv[2]), '127.0.0.1');
process.stdin.pipe(socket);
socket.pipe(process.stdout, { end: false });
socket.on('end', () => process.stdout.write('', () => process.exit(0)));
process.stdin.on('end', () => process.exit(0));
