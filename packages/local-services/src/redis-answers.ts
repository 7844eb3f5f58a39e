import { connect } from 'node:net';

/** Whether a Redis on that port takes this password and serves requests; one that is still reading its data does not yet. */
export function redisAnswers(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    socket.setTimeout(2_000, () => socket.destroy());
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.split('\r\n').length > 2) socket.destroy();
    });
    socket.once('error', () => undefined);
    socket.once('close', () => resolve(answer === '+OK\r\n+PONG\r\n'));
  });
}
