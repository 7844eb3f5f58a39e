import { connect } from 'node:net';

/** Sends these very bytes on a connection of their own and gives everything that comes back until it is closed or an answer is whole. */
export function rawExchange(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const end = (): void => {
      socket.destroy();
      resolve(received);
    };
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const split = received.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(received)?.[1];
      if (split >= 0 && length !== undefined && received.length >= split + 4 + Number(length)) end();
    });
    socket.on('close', end);
    socket.on('error', (error) => {
      if (received === '') reject(error);
      else end();
    });
  });
}

/** The status of an answer, 0 where the connection was closed without one. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

/** What stands behind the header. */
export const bodyOf = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);
