import type { SightlessReason } from '../../../adapter.ts';
import { toWorkingSize } from '../../../vision/workingSize.ts';
import type { Pixels } from '../../../vision/pixelStore.ts';
import type { TimedImage } from './timedImage.ts';

/**
 * Returns what reads the pixels of pictures. Each picture is closed and the canvas is emptied as soon as it was read. Pictures
 * that are larger than what is looked at are drawn smaller. Nothing is drawn by a GPU.
 */
export function createImageReader(): (picture: TimedImage) => Pixels | SightlessReason {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
  return ({ image }) => {
    try {
      const size = toWorkingSize(sizeOf(image));
      if (typeof size === 'string') return size;
      if (!context) return 'decode_error';
      const { width, height } = size;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      context.imageSmoothingQuality = 'high';
      context.drawImage(image, 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      return { width, height, data };
    } catch {
      return 'decode_error';
    } finally {
      image.close();
      context?.clearRect(0, 0, canvas.width, canvas.height);
    }
  };
}

function sizeOf(image: TimedImage['image']): { readonly width: number; readonly height: number } {
  return 'displayWidth' in image ? { width: image.displayWidth, height: image.displayHeight } : image;
}
