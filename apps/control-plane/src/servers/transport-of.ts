import { Server as ServerContract } from '@portcullis/contracts/api/servers';
import type { Server } from '@portcullis/database';

/** How a server is reached: the operator's pin, else what discovery last found. */
export function transportOf({ transportPin, transport }: Pick<Server, 'transportPin' | 'transport'>): ServerContract['transport'] {
  return ServerContract.shape.transport.parse(transportPin === 'auto' ? transport : transportPin);
}
