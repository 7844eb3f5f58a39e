import { Body, Controller, createParamDecorator, Get, HttpCode, Inject, Param, Post, Query, type ExecutionContext } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import { CreateImportQuery, Import, ImportPage, ImportRowPage, ListImportRowsQuery, PullRegistry } from '@portcullis/contracts/api/imports';
import { Id } from '@portcullis/contracts/names';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { StreamedBody } from '../http/accept-streams.js';
import { CallingOperator } from '../http/calling-operator.js';
import { ProblemError } from '../http/problem.js';
import { Audited, Requires, StreamsBody } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { ImportsService } from './imports.service.js';

/** The body as it comes. Refuses one that was packed, and a request without one. */
const SentBody = createParamDecorator((_data: undefined, context: ExecutionContext): StreamedBody => {
  const { body, raw } = context.switchToHttp().getRequest<FastifyRequest>();
  if ((raw.headers['content-encoding'] ?? 'identity') !== 'identity') throw new ProblemError('unsupported_media_type', 'Send the body unpacked.');
  if (body === undefined || body === null) throw new ProblemError('validation', 'There is no body.');
  return body as StreamedBody;
});

@ApiTags('imports')
@Controller('v1/imports')
export class ImportsController {
  constructor(@Inject(ImportsService) private readonly imports: ImportsService) {}

  @Get()
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: ImportPage })
  async list(@Query({ schema: PageQuery }) query: PageQuery): Promise<z.infer<typeof ImportPage>> {
    return this.imports.list(query);
  }

  /** Registers servers in bulk, while they are being sent; answers when the last row is in. Nothing they offer is approved. */
  @Post()
  @Requires('servers:write')
  @Audited('import.created')
  @StreamsBody()
  @ApiConsumes('application/x-ndjson', 'application/json', 'text/csv')
  @ApiBody({
    description: 'JSON Lines of ImportedRow or of server.json, an mcp.json, a registry’s document, or CSV with a header row.',
    schema: { type: 'string', example: '{"id":"crm-1","slug":"crm","url":"https://crm.example.com/mcp","tags":["sales"]}\n' },
  })
  @ApiCreatedResponse({ standardSchema: Import })
  async receive(
    @CallingOperator() caller: Caller,
    @Query({ schema: CreateImportQuery }) query: CreateImportQuery,
    @SentBody() body: StreamedBody,
  ): Promise<Import> {
    return this.imports.receive(caller, query, body);
  }

  /** Fetches what a registry lists; the import goes on after the answer. */
  @Post('registry')
  @HttpCode(202)
  @Requires('servers:write')
  @Audited('import.created')
  @ApiAcceptedResponse({ standardSchema: Import })
  async pull(@CallingOperator() caller: Caller, @Body({ schema: PullRegistry }) body: PullRegistry): Promise<Import> {
    return this.imports.pull(caller, body);
  }

  @Get(':id')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: Import })
  async read(@Param('id', { schema: Id }) id: string): Promise<Import> {
    return this.imports.read(id);
  }

  @Get(':id/rows')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: ImportRowPage })
  async rows(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: ListImportRowsQuery }) query: ListImportRowsQuery,
  ): Promise<z.infer<typeof ImportRowPage>> {
    return this.imports.rows(id, query);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Requires('servers:write')
  @Audited('import.cancelled')
  @ApiOkResponse({ standardSchema: Import })
  async cancel(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<Import> {
    return this.imports.cancel(caller, id);
  }
}
