import fc from 'fast-check';

// Properties draw the same cases on every run, so that a failure is the change's and not the day's. FC_SEED=… draws others.
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20_261_122) });
