import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Node } from '@portcullis/database';
import { z } from 'zod';
import { NotAudited } from '../http/route-marks.js';
import { HandedOverBatchesRepository } from './handed-over-batches.repository.js';
import { CallingNode, NodesOnly } from './node.guard.js';

/** Where nodes bring audit events that Redis does not take. */
@ApiExcludeController()
@Controller('v1/node/audit')
export class HandedOverBatchesController {
  constructor(@Inject(HandedOverBatchesRepository) private readonly batches: HandedOverBatchesRepository) {}

  @Post()
  @HttpCode(204)
  @NodesOnly()
  @NotAudited('brings the events themselves')
  async take(@Body({ schema: z.string() }) batch: string, @CallingNode() node: Node): Promise<void> {
    await this.batches.take(node.name, batch);
  }
}
