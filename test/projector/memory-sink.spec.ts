import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { sinkContract } from './sink.contract.js';

sinkContract('the memory sink', async () => new MemorySink());
