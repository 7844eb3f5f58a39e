import { createServer } from 'node:net';

const listen = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });

/** A port of 127.0.0.1 that nothing listened on a moment ago. Somebody else may still take it first. */
export const freePort = (): Promise<number> => listen(0);

/** Whether this user could listen on that port of 127.0.0.1 right now. */
export const portIsFree = (port: number): Promise<boolean> =>
  listen(port).then(
    () => true,
    () => false,
  );
