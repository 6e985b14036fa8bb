// BSAFusion
