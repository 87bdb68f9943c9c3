//! Chunks that continue one another, from the request on.

use roarm::policy::{ChunkPolicy, ChunkProducer, Guidance, NoiseGenerator, PolicyError, SlotImage};
use roarm::policy::{PolicyInput, Prediction};
use roarm::types::{
    Chunk, Continuation, DatasetAngles, Frame, FrameMetadata, FramePool, JointAngles, MAX_CAMERAS,
    ObservationRequest, PixelLayout, RealTimeChunking, Timestamp,
};

use crate::parity::golden_engine;
use crate::support::assert_says;

const SEED: u64 = 5;
const SIDE: u32 = 96;

struct Session {
    producer: ChunkProducer,
    frame: [std::sync::Arc<Frame>; 1],
}

impl Session {
    fn new(settings: RealTimeChunking) -> Self {
        let size = (SIDE * SIDE * 3) as usize;
        let mut pixels = FramePool::new(1).take(size);
        pixels.iter_mut().enumerate().for_each(|(index, value)| *value = (index % 251) as u8);
        let metadata = FrameMetadata {
            id: 0,
            sequence: 0,
            captured: Timestamp::ZERO,
            width: SIDE,
            height: SIDE,
            digest: None,
        };
        let frame = [std::sync::Arc::new(Frame::new(metadata, PixelLayout::Rgb8, pixels).unwrap())];
        let producer = ChunkProducer::new(Box::new(golden_engine()), SEED).with_real_time_chunking(settings);
        Self { producer, frame }
    }

    fn produce(&mut self, chunk_id: u64, continues: Option<Continuation>) -> Result<Chunk, PolicyError> {
        let request = ObservationRequest {
            chunk_id,
            tick: 0,
            timestep: 0,
            frames: [None; MAX_CAMERAS],
            observed: Timestamp::ZERO,
            state: JointAngles::ZERO,
            perturbation: None,
            continues,
        };
        self.producer.produce(&request, &self.frame, Timestamp::ZERO, || Timestamp::ZERO)
    }

    /// The policy's own answer, without a producer.
    fn predict(&self, chunk_id: u64, guidance: Option<Guidance<'_>>) -> Prediction {
        let mut engine = golden_engine();
        let mut noise = vec![0.0; engine.noise_len()];
        NoiseGenerator::new(SEED).fill(chunk_id, &mut noise);
        let images = [SlotImage { slot: 0, picture: self.frame[0].picture() }];
        let state = DatasetAngles::from(JointAngles::ZERO);
        let mut prediction = Prediction::default();
        let input = PolicyInput { images: &images, state, noise: &noise, guidance };
        engine.predict(&input, &mut prediction).unwrap();
        prediction
    }
}

fn joint_frame(prediction: &Prediction) -> Vec<JointAngles> {
    prediction.actions.iter().copied().map(JointAngles::from).collect()
}

#[test]
fn a_request_that_continues_a_chunk_is_guided_by_its_left_over() {
    let settings = RealTimeChunking::default();
    let mut session = Session::new(settings);
    let first = session.predict(0, None);
    assert_eq!(session.produce(0, None).unwrap().actions(), joint_frame(&first));
    assert!(session.producer.guidance().is_none());

    let continuation = Continuation { chunk_id: 0, consumed: 12, inference_delay: 5 };
    let guidance = Guidance { previous_actions: &first.z_scores[12..], inference_delay: 5, settings };
    let second = session.predict(1, Some(guidance));
    assert_eq!(session.produce(1, Some(continuation)).unwrap().actions(), joint_frame(&second));
    let report = *session.producer.guidance().unwrap();
    assert_eq!((report, report.kept_actions), (second.guidance.unwrap(), 5));

    // The chunk after goes on from the guided one; the first is still remembered, an older one is not.
    let guidance = Guidance { previous_actions: &second.z_scores[20..], inference_delay: 5, settings };
    let third = session.predict(2, Some(guidance));
    let continuation = Continuation { chunk_id: 1, consumed: 20, inference_delay: 5 };
    assert_eq!(session.produce(2, Some(continuation)).unwrap().actions(), joint_frame(&third));
    session.produce(3, Some(continuation)).expect("chunk 2 may have been refused while chunk 1 is played");
    let message = session.produce(4, Some(continuation)).unwrap_err().to_string();
    assert_says(&message, &["chunk 1 is none of the last two", "starts afresh"]);
}

#[test]
fn without_a_continuation_chunks_are_independent() {
    let mut session = Session::new(RealTimeChunking::default());
    session.produce(0, None).unwrap();
    let alone = joint_frame(&session.predict(1, None));
    assert_eq!(session.produce(1, None).unwrap().actions(), alone);
}
