import { freePort, portIsFree } from './free-port.js';
import { LocalServiceError, type LocalService } from './local-service.js';

/** Starts a service on the wished port, or on a free one. Refuses with `port_taken` when something else listens on the wished one. */
export async function onPort(name: string, wished: number | undefined, start: (port: number) => Promise<LocalService>): Promise<LocalService> {
  if (!wished) return onFreePort(start);
  if (!(await portIsFree(wished))) throw portTaken(name, wished);
  return start(wished);
}

/** Between finding a port free and binding it somebody else may take it, so a failure there is worth another port. */
async function onFreePort(start: (port: number) => Promise<LocalService>, attempts = 3): Promise<LocalService> {
  const port = await freePort();
  try {
    return await start(port);
  } catch (error) {
    if (attempts > 1 && !(await portIsFree(port))) return onFreePort(start, attempts - 1);
    throw error;
  }
}

const portTaken = (name: string, port: number): LocalServiceError =>
  new LocalServiceError('port_taken', `Port ${port}, meant for ${name}, is taken by another program. Stop that program, or choose another port.`, {
    port,
  });
