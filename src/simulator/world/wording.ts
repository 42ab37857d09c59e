// Words for bodies and captions: their lengths are what matters (log-normal, median 5.5 words), not their sense.
import type { Random } from '../random.js';

const words =
  'did you see this one it is so good look at the end we should try that next week where was it again haha yes no maybe later I love the colour how much is it too far for me tell your brother call me when you are there'.split(
    ' ',
  );
const questions = [
  'is this in stock',
  'does it run small',
  'when could it be here',
  'is there another colour',
  'what is it made of',
];
const answers = [
  'yes, we have it',
  'it will be there in two days',
  'one size up, please',
  'here it is',
  'sorry, not this week',
];

export function sentence(draw: Random): string {
  const length = Math.min(30, Math.max(1, Math.round(draw.logNormal(5.5, 0.9))));
  return Array.from({ length }, () => draw.pick(words)).join(' ');
}
export function question(draw: Random): string {
  return `Hello, ${draw.pick(questions)}?`;
}
export function answer(draw: Random): string {
  return `Hello, ${draw.pick(answers)}.`;
}
