import { MemorySink } from '../../src/projector/memory-sink.js';
import { sinkContract } from './sink.contract.js';

sinkContract('the memory sink', async () => new MemorySink());
