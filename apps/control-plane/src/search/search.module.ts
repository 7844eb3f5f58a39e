import { Module } from '@nestjs/common';
import { inBackground } from '../background/in-background.js';
import { ServersModule } from '../servers/servers.module.js';
import { SearchController } from './search.controller.js';
import { SearchIndexer } from './search-indexer.js';
import { SearchService } from './search.service.js';

@Module({ imports: [ServersModule], controllers: [SearchController], providers: [...inBackground(SearchIndexer, 'search'), SearchService] })
export class SearchModule {}
