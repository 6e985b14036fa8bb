"""The same case through SimpleITK, elastix and ANTs, with settings a careful user would choose; CPU and wall seconds."""

import resource
import time

import numpy as np
import SimpleITK as sitk


def processor():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return use.ru_utime + use.ru_stime


def timed(body):
    def run(case):
        cpu, wall = processor(), time.perf_counter()
        try:
            matrix = body(case)
        except RuntimeError as error:
            return dict(failed=str(error).strip().splitlines()[-1][:200])
        return dict(matrix=np.asarray(matrix).ravel().tolist(), cpu=processor() - cpu, wall=time.perf_counter() - wall)
    return run


def euler_matrix(transform):
    """4×4 of a centred transform."""
    matrix = np.eye(4)
    zero = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix[:3, :3] = np.array([transform.TransformPoint(tuple(axis)) for axis in np.eye(3)]).T - zero[:, None]
    matrix[:3, 3] = zero
    return matrix


@timed
def simpleitk(case):
    """Mattes mutual information, 50 bins, 4 levels, a tenth of the voxels, gradient descent with estimated steps."""
    start = sitk.CenteredTransformInitializer(
        case.fixed, case.moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.02, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.001, 200, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([8, 4, 2, 1])
    method.SetSmoothingSigmasPerLevel([4, 2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(case.fixed, case.moving)
    return euler_matrix(start)


@timed
def elastix(case):
    """elastix's own rigid parameter map, 4 levels, started at the centres of gravity."""
    import itk
    parameters = itk.ParameterObject.New()
    rigid = parameters.GetDefaultParameterMap("rigid", 4)
    rigid["AutomaticTransformInitializationMethod"] = ["CenterOfGravity"]
    rigid["MaximumNumberOfIterations"] = ["500"]
    rigid["WriteResultImage"] = ["false"]
    parameters.AddParameterMap(rigid)
    images = [itk_image(image) for image in (case.fixed, case.moving)]
    method = itk.ElastixRegistrationMethod.New(images[0], images[1])
    method.SetParameterObject(parameters)
    method.SetLogToConsole(False)
    method.Update()
    found = method.GetTransformParameterObject().GetParameterMap(0)
    transform = sitk.Euler3DTransform()
    transform.SetCenter([float(v) for v in found["CenterOfRotationPoint"]])
    transform.SetComputeZYX(found.get("ComputeZYX", ("false",))[0] == "true")
    transform.SetParameters([float(v) for v in found["TransformParameters"]])
    return euler_matrix(transform)


@timed
def ants_rigid(case):
    """ANTsPy's `Rigid` with its defaults, which include the start at the centres of mass."""
    import ants
    fixed, moving = (ants_image(image) for image in (case.fixed, case.moving))
    found = ants.registration(fixed, moving, type_of_transform="Rigid")
    transform = ants.read_transform(found["fwdtransforms"][0])
    matrix = np.eye(4)
    zero = np.array(transform.apply_to_point((0, 0, 0)))
    matrix[:3, :3] = np.array([transform.apply_to_point(tuple(axis)) for axis in np.eye(3)]).T - zero[:, None]
    matrix[:3, 3] = zero
    return matrix


def itk_image(image):
    import itk
    result = itk.image_from_array(sitk.GetArrayFromImage(image))
    result.SetOrigin(image.GetOrigin())
    result.SetSpacing(image.GetSpacing())
    result.SetDirection(itk.matrix_from_array(np.array(image.GetDirection()).reshape(3, 3)))
    return result


def ants_image(image):
    import ants
    return ants.from_numpy(
        sitk.GetArrayFromImage(image).T.astype(np.float32), origin=image.GetOrigin(), spacing=image.GetSpacing(),
        direction=np.array(image.GetDirection()).reshape(3, 3))


RUN = {"sitk": simpleitk, "elastix": elastix, "ants": ants_rigid}
