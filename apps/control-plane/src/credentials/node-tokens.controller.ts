import { createHash } from 'node:crypto';
import { Body, Controller, Header, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Id } from '@portcullis/contracts/names';
import { nodeTokenAad, NodeTokenRequest, type NodeTokenResponse } from '@portcullis/contracts/node';
import type { Node } from '@portcullis/database';
import { sealFor, TokenError } from '@portcullis/secrets';
import { ProblemError } from '../http/problem.js';
import { NotAudited } from '../http/route-marks.js';
import { CallingNode, NodesOnly } from '../nodes/node.guard.js';
import { ConnectionWays } from './connection-ways.js';
import { NotConnected } from './connection-tokens.js';

/** Where nodes get the tokens of operators' connections, each sealed to the node that asks. */
@ApiExcludeController()
@Controller('v1/node/credentials')
export class NodeTokensController {
  constructor(@Inject(ConnectionWays) private readonly ways: ConnectionWays) {}

  @Post(':id/token')
  @HttpCode(200)
  @NodesOnly()
  @NotAudited('asked for every few minutes; each call that goes with it is on record')
  @Header('cache-control', 'no-store')
  async token(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: NodeTokenRequest }) { refused }: NodeTokenRequest,
    @CallingNode() node: Node,
  ): Promise<NodeTokenResponse> {
    const isRefused = (token: string): boolean => refused !== undefined && createHash('sha256').update(token).digest('hex') === refused;
    const { accessToken, expiresAt } = await this.ways.tokens.token(id, isRefused).catch(toProblem);
    return { sealedToken: sealFor(node.sealingPublicKey, accessToken, nodeTokenAad(node.id, id)), expiresAt: expiresAt?.getTime() ?? null };
  }
}

function toProblem(error: unknown): never {
  if (error instanceof NotConnected) throw new ProblemError('conflict', 'The connection has to be made anew.', [], { cause: error });
  if (error instanceof TokenError)
    throw new ProblemError('unavailable', 'The authorization server gives no token at the moment.', [], { cause: error });
  throw error;
}
