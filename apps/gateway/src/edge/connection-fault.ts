import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { GatewayError, type ErrorCode } from '@portcullis/contracts/errors';
import { errorMessage } from '../reply/error-message.js';

const CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ['HPE_HEADER_OVERFLOW', 'client.headers_too_large'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'client.too_large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 'client.timeout'],
]);

/** The error behind what the HTTP parser refused or what did not come in time; undefined for a connection that broke, which is no fault of what was sent. */
export function connectionFaultOf(error: Error & { readonly code?: string }): ErrorCode | undefined {
  const code = error.code ?? '';
  return CODES.get(code) ?? (code.startsWith('HPE_') ? 'client.malformed' : undefined);
}

/** Ends a connection with an answer, where none is under way: nothing behind it is looked at. */
export function refuseConnection(code: ErrorCode | undefined, socket: Duplex): void {
  // Where a connection is asked for Node listens no more, and whoever is gone before the refusal would end this process.
  socket.on('error', () => undefined);
  if (code === undefined || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const { status, message } = errorMessage(new GatewayError(code), null, null);
  const head = `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\ncontent-length: ${String(message.length)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${message}`, () => socket.destroy());
}

/** Whether part of an answer is out already. Node keeps this under a private name and looks there for the same purpose. */
function isAnswering(socket: Duplex & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}
