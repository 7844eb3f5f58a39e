import { Transport } from '@portcullis/contracts/names';
import type { Server } from '@portcullis/database';

/** How a server is reached: the operator's pin, else what discovery last found. */
export function transportOf({ transportPin, transport }: Pick<Server, 'transportPin' | 'transport'>): Transport {
  return Transport.parse(transportPin === 'auto' ? transport : transportPin);
}
