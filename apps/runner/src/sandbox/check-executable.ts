import { constants } from 'node:fs';
import { access, open, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import type { ServerUser } from './sandbox.js';

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const HEAD_BYTES = 512;
const WRITABLE_BY_OTHERS = 0o022;

/** A program that is not started, in words for an operator. */
export class LaunchRefusal extends Error {
  override readonly name = 'LaunchRefusal';
}

/**
 * Refuses a program that is not what its path says, or that may be another one tomorrow: a relative path, a link, a file that others may write, or that
 * lies where its own `user` may put another, a script without an interpreter (which system libraries would hand to a shell).
 */
export async function checkExecutable(path: string, user?: ServerUser): Promise<void> {
  if (!isAbsolute(path)) throw new LaunchRefusal(`${path} is no absolute path`);
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) throw new LaunchRefusal(`${path} does not exist on this runner`);
  if (real !== path) throw new LaunchRefusal(`${path} is a link; the program is ${real}`);
  const found = await stat(path);
  if (!found.isFile()) throw new LaunchRefusal(`${path} is no file`);
  if ((found.mode & WRITABLE_BY_OTHERS) !== 0) throw new LaunchRefusal(`${path} can be changed by others than its owner`);
  if (user !== undefined) await checkOwners(path, user);
  await access(path, constants.X_OK).catch(() => {
    throw new LaunchRefusal(`${path} may not be executed`);
  });
  await checkFormat(path);
}

async function checkOwners(path: string, { uid }: ServerUser): Promise<void> {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if ((await stat(at)).uid === uid) throw new LaunchRefusal(`${at} belongs to the server itself, which could change what it is started as`);
  }
}

async function checkFormat(path: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const head = await readHead(path);
  if (head.subarray(0, ELF.length).equals(ELF)) return;
  const interpreter = /^#![ \t]*(\/\S+)/.exec(head.toString('latin1'))?.[1];
  if (interpreter === undefined) throw new LaunchRefusal(`${path} is neither a program nor a script that names its interpreter`);
  await access(interpreter, constants.X_OK).catch(() => {
    throw new LaunchRefusal(`${path} wants the interpreter ${interpreter}, which is not there`);
  });
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => {
    throw new LaunchRefusal(`${path} cannot be read`);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
