import { benchFeatures } from './features.ts';
import { benchFuzz } from './fuzz.ts';
import { benchHostile } from './hostile.ts';
import { benchLive } from './live.ts';
import { benchMedia } from './media.ts';
import { benchModel } from './model.ts';
import { benchPipeline } from './pipeline.ts';
import { benchReplay } from './replay.ts';
import { benchScriptedCall } from './scriptedCall.ts';
import { benchTrain } from './train.ts';
import { benchSpeech } from './speech.ts';
import { benchVad } from './vad.ts';
import { benchVision } from './vision.ts';

/** Short inputs instead of the ones that the goals are about: `--quick`, or UNDERTONE_BENCH=quick. */
const isQuick = process.argv.includes('--quick') || process.env['UNDERTONE_BENCH'] === 'quick';

const weights = process.argv.indexOf('--weights');

await benchScriptedCall(weights < 0 ? undefined : process.argv[weights + 1]);
await benchModel(isQuick);
await benchReplay(isQuick);
await benchPipeline();
await benchFeatures();
await benchVad();
await benchVision();
await benchSpeech();
await benchMedia();
await benchLive(isQuick ? { counts: [1, 20], seconds: 20 } : { counts: [1, 50, 100, 150, 200], seconds: 30 });
await benchTrain(isQuick);
await benchFuzz(isQuick);
await benchHostile(isQuick);
