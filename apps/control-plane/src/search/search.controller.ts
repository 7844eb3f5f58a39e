import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { SearchPage, SearchRequest } from '@portcullis/contracts/api/search';
import type { z } from 'zod';
import { Requires } from '../http/route-marks.js';
import { SearchService } from './search.service.js';

@ApiTags('search')
@Controller('v1/search')
export class SearchController {
  constructor(@Inject(SearchService) private readonly search: SearchService) {}

  /** Servers and definitions by words: exact names first, then beginnings of names, then words anywhere, then names that look alike. */
  @Get()
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: SearchPage })
  async find(@Query({ schema: SearchRequest }) query: SearchRequest): Promise<z.infer<typeof SearchPage>> {
    return this.search.search(query);
  }
}
