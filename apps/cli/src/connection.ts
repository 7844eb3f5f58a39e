import { type ApiClient, createApiClient } from '@portcullis/api-client';
import type { Environment } from './config.js';
import { CliError } from './cli-error.js';
import { readTokens, tokensFileIn, type Tokens } from './tokens-file.js';
import { defaultDataDirectory } from './workspace.js';

/** What the command line says about where the control plane is. */
export interface ConnectionOptions {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly data?: string | undefined;
  /** Why the operator widens an agent of their own. */
  readonly breakGlass?: string | undefined;
}

export interface Connection {
  readonly api: ApiClient;
  readonly controlPlaneUrl: string;
  /** Of the local stack, where that is what we talk to. */
  readonly gatewayUrls: readonly string[];
}

/** The control plane and a token for it: from the command line, the environment, or the local stack. Refuses when there is neither. */
export async function connect(options: ConnectionOptions, environment: Environment): Promise<Connection> {
  const url = options.url ?? environment.url;
  const token = options.token ?? environment.token;
  if (url !== undefined && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) throw new CliError(`${url} is not an http(s) URL.`);
  if (url !== undefined && token !== undefined)
    return { api: createApiClient({ baseUrl: url, token, breakGlass: options.breakGlass }), controlPlaneUrl: url, gatewayUrls: [] };
  const dataDirectory = options.data ?? environment.dataDirectory ?? defaultDataDirectory;
  const local = await readTokens(dataDirectory);
  if (local === undefined) throw new CliError(noneFound(dataDirectory, url));
  return toLocal(local, { url, token, breakGlass: options.breakGlass });
}

function toLocal(local: Tokens, { url, token, breakGlass }: Pick<ConnectionOptions, 'url' | 'token' | 'breakGlass'>): Connection {
  // A kept token goes to the stack it belongs to and nowhere else.
  if (url !== undefined && new URL(url).origin !== new URL(local.controlPlaneUrl).origin)
    throw new CliError(`There is no token for ${url}. Give one with --token or PORTCULLIS_TOKEN.`);
  const { controlPlaneUrl, gatewayUrls } = local;
  return { api: createApiClient({ baseUrl: controlPlaneUrl, token: token ?? local.operatorToken, breakGlass }), controlPlaneUrl, gatewayUrls };
}

const noneFound = (dataDirectory: string, url: string | undefined): string =>
  url === undefined
    ? `No control plane to talk to: ${tokensFileIn(dataDirectory)} does not exist. Start a local stack with "portcullis up", or give --url and --token (PORTCULLIS_URL, PORTCULLIS_TOKEN).`
    : `There is no token for ${url}. Give one with --token or PORTCULLIS_TOKEN.`;
