// Lets plain Node run the TypeScript sources: benchmarks, crash rounds, and the child processes that tests start.
import { register } from 'node:module';

register('./source-loader.mjs', import.meta.url);
