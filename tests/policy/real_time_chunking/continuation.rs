//! Chunks that continue one another, from the request on.

use std::sync::Arc;

use roarm::policy::{ChunkProducer, Engine};
use roarm::types::{
    Chunk, Continuation, JointAngles, ObservationRequest, RealTimeChunking, ShortLeftOver, Timestamp,
};

use crate::parity::golden_engine;
