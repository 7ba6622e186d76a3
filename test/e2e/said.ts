/** What is said in two recordings: a speech of 1961 (public domain), a line of LibriSpeech (CC BY 4.0). */
export const SAID: Readonly<Record<string, string>> = {
  'jfk.wav':
    'And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.',
  '84-121550-0000.flac':
    'But with full ravishment the hours of prime, singing, received they in the midst of leaves, that ever bore a burden to their rhymes.',
};
