import type { PageQuery } from '@portcullis/contracts/api/conventions';
import {
  type ApproveLaunchProfile,
  LaunchProfilePage,
  LaunchProfileVersion,
  type ListLaunchProfilesQuery,
  type ProposeLaunchProfile,
  type RejectLaunchProfile,
  type MoveServer,
  type RestartServer,
  ServerLog,
} from '@portcullis/contracts/api/launch-profiles';
import { type CreateJoinToken, JoinToken } from '@portcullis/contracts/api/operations';
import { Runner, RunnerPage } from '@portcullis/contracts/api/runners';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { Changed, ChangeOptions, Send } from './send.js';

/** Processes that host servers of stdio, and what lets them in. */
export interface RunnersApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof RunnerPage>>;
  read(id: string): Promise<Runner>;
  /** The runner's key opens nothing any more, and what it hosts moves. */
  delete(id: string, options?: ChangeOptions): Promise<Changed<void>>;
  /** The only answer that ever holds the token. */
  createJoinToken(token?: z.input<typeof CreateJoinToken>): Promise<JoinToken>;
}

export function runnersApi(send: Send): RunnersApi {
  return {
    list: listRoute(send, 'GET /v1/runners', RunnerPage),
    read: async (id) => (await send({ route: 'GET /v1/runners/{id}', at: [id], answer: Runner })).value,
    delete: (id, query) => send({ route: 'DELETE /v1/runners/{id}', at: [id], query, answer: z.void() }),
    createJoinToken: async (body = {}) => (await send({ route: 'POST /v1/runners/join-tokens', body, answer: JoinToken })).value,
  };
}

/** What servers of stdio are started as, and what becomes of what was started. */
export interface ProfilesApi {
  list: ListRoute<Partial<ListLaunchProfilesQuery>, z.output<typeof LaunchProfilePage>>;
  read(server: string, version: number): Promise<LaunchProfileVersion>;
  propose(server: string, profile: z.input<typeof ProposeLaunchProfile>, options?: ChangeOptions): Promise<Changed<LaunchProfileVersion>>;
  /** With the hash of what was looked at. */
  approve(server: string, version: number, decision: ApproveLaunchProfile, options?: ChangeOptions): Promise<Changed<LaunchProfileVersion>>;
  reject(server: string, version: number, decision: RejectLaunchProfile, options?: ChangeOptions): Promise<Changed<LaunchProfileVersion>>;
  /** What its children last wrote to stderr. */
  log(server: string): Promise<ServerLog>;
  /** Its children are started anew, and a quarantine ends. */
  restart(server: string, why: RestartServer): Promise<void>;
  /** Another runner hosts it, as soon as that one knows of it. */
  move(server: string, to: MoveServer): Promise<void>;
}

export function profilesApi(send: Send): ProfilesApi {
  const at = (server: string, version: number): readonly string[] => [server, String(version)];
  return {
    list: listRoute(send, 'GET /v1/profiles', LaunchProfilePage),
    read: async (server, version) =>
      (await send({ route: 'GET /v1/servers/{server}/profiles/{version}', at: at(server, version), answer: LaunchProfileVersion })).value,
    propose: (server, body, query) => send({ route: 'POST /v1/servers/{server}/profiles', at: [server], query, body, answer: LaunchProfileVersion }),
    approve: (server, version, body, query) =>
      send({ route: 'POST /v1/servers/{server}/profiles/{version}/approve', at: at(server, version), query, body, answer: LaunchProfileVersion }),
    reject: (server, version, body, query) =>
      send({ route: 'POST /v1/servers/{server}/profiles/{version}/reject', at: at(server, version), query, body, answer: LaunchProfileVersion }),
    log: async (server) => (await send({ route: 'GET /v1/servers/{server}/log', at: [server], answer: ServerLog })).value,
    restart: async (server, body) => (await send({ route: 'POST /v1/servers/{server}/restart', at: [server], body, answer: z.void() })).value,
    move: async (server, body) => (await send({ route: 'POST /v1/servers/{server}/move', at: [server], body, answer: z.void() })).value,
  };
}
