import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { SearchController } from './search.controller.js';
import { SearchIndexer } from './search-indexer.js';
import { SearchService } from './search.service.js';

@Module({ imports: [ServersModule], controllers: [SearchController], providers: [SearchIndexer, SearchService] })
export class SearchModule {}
