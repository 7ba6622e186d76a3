import { describeRecognizer } from '../contracts/recognizer.ts';
import { createFakeRecognizer, spoken } from './fakeRecognizer.ts';

describeRecognizer('the fake of these tests', {
  create: async () => createFakeRecognizer('fake'),
  speech: async () => spoken([0, 1, 2, 3, 0, 4, 5, 0]),
});
