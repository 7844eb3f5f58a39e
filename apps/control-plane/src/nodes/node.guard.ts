import { applyDecorators, createParamDecorator, Inject, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Node } from '@portcullis/database';
import { bearerMatches, parseBearer } from '@portcullis/secrets';
import type { FastifyRequest } from 'fastify';
import { bearerOf } from '../http/access.guard.js';
import { ProblemError } from '../http/problem.js';
import { markDoor } from '../http/route-marks.js';
import { KeyRing } from '../keys/key-ring.js';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { NodesRepository } from './nodes.repository.js';

type NodeRequest = FastifyRequest & { node?: Node };

/** The nodes' own door: a node's key passes, nothing else does. */
@Injectable()
export class NodeGuard implements CanActivate {
  constructor(
    @Inject(NodesRepository) private readonly nodes: NodesRepository,
    @Inject(KeyRing) private readonly keys: KeyRing,
    @Inject(FailedSignIns) private readonly signIns: FailedSignIns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<NodeRequest>();
    const token = bearerOf(request);
    request.node = await this.signIns.attempt(request, { door: 'node', token }, () => this.nodeOf(token));
    return true;
  }

  private async nodeOf(token: string): Promise<Node> {
    const parts = parseBearer('node', token);
    const node = parts === undefined ? null : await this.nodes.byKeyId(parts.id);
    const pepper = node === null ? undefined : this.keys.pepper(node.pepperId);
    if (parts === undefined || node === null || pepper === undefined || !bearerMatches(pepper, parts.secret, node.keyHash)) {
      throw new ProblemError('unauthenticated');
    }
    return node;
  }
}

/** Only a node with its own key passes. */
export const NodesOnly = (): MethodDecorator & ClassDecorator => applyDecorators(markDoor({ kind: 'node' }), UseGuards(NodeGuard));

/** The node that sent the request; only on routes behind the nodes' door. */
export const CallingNode = createParamDecorator((_data: undefined, context: ExecutionContext): Node => {
  const { node } = context.switchToHttp().getRequest<NodeRequest>();
  if (node === undefined) throw new Error('The route is not behind the nodes’ door');
  return node;
});
