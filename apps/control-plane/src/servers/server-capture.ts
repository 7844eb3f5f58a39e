import { ServerCapture } from '@portcullis/contracts/capture';
import type { Server } from '@portcullis/database';

/** What is kept of the calls of a server, members in the order of the contract; null where that is as for all. */
export const serverCaptureOf = ({ auditCapture }: Pick<Server, 'auditCapture'>): ServerCapture | null =>
  auditCapture === null ? null : ServerCapture.parse(auditCapture);
