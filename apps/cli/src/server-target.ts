import { etagOf } from '@portcullis/api-client';
import type { Server, UpdateServer } from '@portcullis/contracts/api/servers';
import { CapturePath } from '@portcullis/contracts/capture';
import { type Command, InvalidArgumentError } from 'commander';
import type { Connection } from './connection.js';

/** A server, or some of what it offers, as an argument; `placeOf` tells which. */
export const withTarget = (command: Command, argument: string): Command =>
  command.argument(argument, 'a server, or server:name; * stands for any characters');

/** `names` is undefined for all that the server offers. */
export const placeOf = (target: string): { server: string; names: string | undefined } => {
  const at = target.indexOf(':');
  return at < 0 ? { server: target, names: undefined } : { server: target.slice(0, at), names: target.slice(at + 1) };
};

/** Reads one place in arguments or results after the other. */
export function pointers(text: string, before: string[] = []): string[] {
  const { error } = CapturePath.safeParse(text);
  if (error) throw new InvalidArgumentError(`${text} ${error.issues[0]?.message ?? ''}`);
  return [...before, text];
}

/** Changes a server by what it is now. Refused where somebody else changes it meanwhile: rules are replaced as a whole, and that would undo theirs. */
export async function changeServer(api: Connection['api'], server: string, change: (before: Server) => UpdateServer): Promise<void> {
  const before = await api.servers.read(server);
  await api.servers.update(server, change(before), { ifMatch: etagOf(before) });
}
