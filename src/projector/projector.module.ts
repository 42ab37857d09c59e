// The projector of one process as a module: it starts with the application and stops before the stores close.
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DocumentProjector, type DocumentProjectorOptions } from './document-projector.js';

@Module({})
export class ProjectorModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(DocumentProjector) private readonly documents: DocumentProjector) {}

  onApplicationBootstrap(): void {
    this.documents.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.documents.close();
  }
}

export function projectorModule(options: DocumentProjectorOptions): DynamicModule {
  const documents = new DocumentProjector(options);
  return {
    module: ProjectorModule,
    providers: [{ provide: DocumentProjector, useValue: documents }],
    exports: [DocumentProjector],
  };
}
