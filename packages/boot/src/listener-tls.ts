import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { z } from 'zod';
import { ConfigError } from './read-config.js';

/** Where the certificate of a listener and the key to it lie, as PEM: `TLS_CERT_FILE` and `TLS_KEY_FILE`. The chain is part of the certificate's file. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export const tlsFields = { tlsCertFile: z.string().min(1).optional(), tlsKeyFile: z.string().min(1).optional() };

/** Undefined where a listener has no TLS. Throws a ConfigError where only one of both files is named. */
export function tlsFilesOf({ tlsCertFile: certFile, tlsKeyFile: keyFile }: z.infer<z.ZodObject<typeof tlsFields>>): TlsFiles | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (keyFile === undefined) throw new ConfigError([{ variable: 'TLS_KEY_FILE', problem: 'is needed where TLS_CERT_FILE is given' }]);
  if (certFile === undefined) throw new ConfigError([{ variable: 'TLS_CERT_FILE', problem: 'is needed where TLS_KEY_FILE is given' }]);
  return { certFile, keyFile };
}

/** What takes another certificate while it listens; connections that are open keep theirs. */
export interface TlsServer {
  setSecureContext(options: SecureContextOptions): void;
}

/** Who is told of certificates that were replaced, or cannot be. */
export interface TlsLogger {
  info(message: string): void;
  warn(detail: { readonly err: unknown }, message: string): void;
}

const LOOK_MS = 10_000;

/** The certificate of a listener, which is replaced in its files. */
export class ListenerTls {
  private constructor(
    private readonly files: TlsFiles,
    /** What a listener is opened with. */
    public options: SecureContextOptions,
  ) {}

  /** Throws where the files cannot be read, or do not belong together. */
  static async open(files: TlsFiles): Promise<ListenerTls> {
    return new ListenerTls(files, await read(files));
  }

  /** Hands the listener what its files hold from now on, until the returned function is called. Files that are of no use change nothing. */
  keepRenewing(server: TlsServer, logger: TlsLogger, everyMs = LOOK_MS): () => void {
    let lastFault: string | undefined;
    const look = async (): Promise<void> => {
      try {
        const found = await read(this.files);
        lastFault = undefined;
        if (found.cert === this.options.cert && found.key === this.options.key) return;
        this.options = found;
        server.setSecureContext(found);
        logger.info('The certificate of the listener was replaced');
      } catch (err) {
        const fault = err instanceof Error ? err.message : String(err);
        if (fault !== lastFault) logger.warn({ err }, 'The files of the certificate are of no use; the listener goes on with the one before');
        lastFault = fault;
      }
    };
    const timer = setInterval(() => void look(), everyMs).unref();
    return () => clearInterval(timer);
  }
}

async function read({ certFile, keyFile }: TlsFiles): Promise<SecureContextOptions> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  // Without one of them a context is made all the same, with which nobody could connect.
  for (const [file, text] of Object.entries({ [certFile]: cert, [keyFile]: key })) if (text.trim() === '') throw new Error(`${file} is empty`);
  const options = { cert, key, minVersion: 'TLSv1.2' } as const;
  createSecureContext(options); // refuses a key that is another certificate's, as between two files that are being replaced
  return options;
}
